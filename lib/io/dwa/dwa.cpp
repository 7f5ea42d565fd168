// The module interpos_dwa.so: see dwa.h.
#include "dwa.h"

#include <ImfChannelList.h>
#include <ImfCompression.h>
#include <ImfFrameBuffer.h>
#include <ImfHeader.h>
#include <ImfIO.h>
#include <ImfInputFile.h>
#include <ImfOutputFile.h>
#include <ImfTiledInputFile.h>
#include <ImfTiledOutputFile.h>
#include <Iex.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

namespace {

struct stopped {};
struct put_failed {};

class memory_in : public Imf::IStream {
public:
    memory_in(const void *bytes, size_t size) : Imf::IStream("image"), bytes_(static_cast<const char *>(bytes)), size_(size) {}
    bool read(char *out, int n) override {
        std::memcpy(out, take(n), static_cast<size_t>(n));
        return at_ < size_;
    }
    bool isMemoryMapped() const override { return true; }
    char *readMemoryMapped(int n) override { return const_cast<char *>(take(n)); }
    uint64_t tellg() override { return at_; }
    void seekg(uint64_t at) override { at_ = at; }

private:
    const char *take(int n) {
        if (n < 0 || at_ > size_ || static_cast<uint64_t>(n) > size_ - at_)
            throw Iex::InputExc("unexpected end of the picture");
        const char *from = bytes_ + at_;
        at_ += static_cast<uint64_t>(n);
        return from;
    }
    const char *bytes_;
    uint64_t size_, at_ = 0;
};

class put_out : public Imf::OStream {
public:
    put_out(int32_t (*put)(void *, uint64_t, const void *, size_t), void *user) : Imf::OStream("image"), put_(put), user_(user) {}
    void write(const char *bytes, int n) override {
        if (n < 0 || put_(user_, at_, bytes, static_cast<size_t>(n)) != 0)
            throw put_failed();
        at_ += static_cast<uint64_t>(n);
    }
    uint64_t tellp() override { return at_; }
    void seekp(uint64_t at) override { at_ = at; }

private:
    int32_t (*put_)(void *, uint64_t, const void *, size_t);
    void *user_;
    uint64_t at_ = 0;
};

Imf::PixelType pixel_type(const ip_dwa_channel &channel) {
    return channel.type == 0 ? Imf::UINT : channel.type == 1 ? Imf::HALF : Imf::FLOAT;
}

Imf::FrameBuffer frame_buffer(const ip_dwa_picture &picture) {
    Imf::FrameBuffer buffer;
    for (size_t i = 0; i < picture.channel_count; i++) {
        const ip_dwa_channel &c = picture.channels[i];
        // The library adds strides as unsigned numbers, so negative ones wrap round to the right place.
        buffer.insert(c.name, Imf::Slice(pixel_type(c), static_cast<char *>(c.data), static_cast<size_t>(c.pixel_stride),
            static_cast<size_t>(c.row_stride), c.xs, c.ys));
    }
    return buffer;
}

void check_stop(const ip_dwa_picture &picture) {
    if (picture.stop && picture.stop(picture.user) != 0)
        throw stopped();
}

// Runs work and turns whatever it throws into a result and a text.
template <class Work> int32_t guarded(char *error, size_t room, int32_t failure, Work work) noexcept {
    const char *text = "unknown exception";
    try {
        work();
        return IP_DWA_OK;
    } catch (const stopped &) {
        return IP_DWA_STOPPED;
    } catch (const put_failed &) {
        failure = IP_DWA_FAILED;
        text = "the packed pixels could not be stored";
    } catch (const std::bad_alloc &) {
        failure = IP_DWA_NO_MEMORY;
        text = "out of memory";
    } catch (const std::exception &e) {
        std::snprintf(error, room, "%s", e.what());
        return failure;
    } catch (...) {
    }
    std::snprintf(error, room, "%s", text);
    return failure;
}

int32_t decode(const void *bytes, size_t size, const ip_dwa_picture *picture, char *error, size_t room) noexcept {
    return guarded(error, room, IP_DWA_BAD_FILE, [&] {
        memory_in in(bytes, size);
        const Imf::FrameBuffer buffer = frame_buffer(*picture);
        if (picture->tile_width > 0) {
            Imf::TiledInputFile file(in, 0);
            file.setFrameBuffer(buffer);
            for (int row = 0; row < file.numYTiles(0); row++) {
                check_stop(*picture);
                file.readTiles(0, file.numXTiles(0) - 1, row, row, 0);
            }
        } else {
            Imf::InputFile file(in, 0);
            file.setFrameBuffer(buffer);
            for (int y = 0; y < picture->height; y += 256) {
                check_stop(*picture);
                file.readPixels(y, y + 255 < picture->height ? y + 255 : picture->height - 1);
            }
        }
    });
}

int32_t encode(const ip_dwa_picture *picture, int32_t (*put)(void *user, uint64_t offset, const void *bytes, size_t n), void *put_user,
    char *error, size_t room) noexcept {
    return guarded(error, room, IP_DWA_FAILED, [&] {
        Imf::Header header(picture->width, picture->height, 1, Imath::V2f(0, 0), 1, Imf::INCREASING_Y, static_cast<Imf::Compression>(picture->compression));
        header.dwaCompressionLevel() = picture->level;
        for (size_t i = 0; i < picture->channel_count; i++) {
            const ip_dwa_channel &c = picture->channels[i];
            header.channels().insert(c.name, Imf::Channel(pixel_type(c), c.xs, c.ys, c.linear != 0));
        }
        put_out out(put, put_user);
        const Imf::FrameBuffer buffer = frame_buffer(*picture);
        if (picture->tile_width > 0) {
            header.setTileDescription(Imf::TileDescription(static_cast<unsigned>(picture->tile_width), static_cast<unsigned>(picture->tile_height)));
            Imf::TiledOutputFile file(out, header, 0);
            file.setFrameBuffer(buffer);
            for (int row = 0; row < file.numYTiles(0); row++) {
                check_stop(*picture);
                file.writeTiles(0, file.numXTiles(0) - 1, row, row, 0);
            }
        } else {
            Imf::OutputFile file(out, header, 0);
            file.setFrameBuffer(buffer);
            for (int y = 0; y < picture->height; y += 256) {
                check_stop(*picture);
                file.writePixels(y + 256 < picture->height ? 256 : picture->height - y);
            }
        }
    });
}

const ip_dwa_table table = {sizeof(ip_dwa_table), decode, encode};

} // namespace

extern "C" __attribute__((visibility("default"))) const void *interpos_dwa_v1(void) {
    return &table;
}
