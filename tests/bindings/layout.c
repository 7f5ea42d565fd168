/* Sizes and offsets of the public structs, for the bindings to compare with. */
#include <interpos/interpos.h>
#include <stdio.h>

#define SIZE(type) printf("%s %zu\n", #type, sizeof(type))
#define AT(type, member) printf("%s.%s %zu\n", #type, #member, offsetof(type, member))

int main(void)
{
    SIZE(ipos_rational), SIZE(ipos_box), SIZE(ipos_plane), SIZE(ipos_channel), SIZE(ipos_timecode), SIZE(ipos_chromaticities);
    SIZE(ipos_context_config), AT(ipos_context_config, log_level), AT(ipos_context_config, engine_path);
    AT(ipos_context_config, memory_limit), AT(ipos_context_config, ffmpeg_path), AT(ipos_context_config, checkpoint_seconds);
    SIZE(ipos_read_config), AT(ipos_read_config, memory_limit);
    SIZE(ipos_write_config), AT(ipos_write_config, compression), AT(ipos_write_config, planar), AT(ipos_write_config, dwa_level);
    SIZE(ipos_clip_config), AT(ipos_clip_config, name), AT(ipos_clip_config, rate), AT(ipos_clip_config, tags);
    AT(ipos_clip_config, first_frame), AT(ipos_clip_config, copy), AT(ipos_clip_config, duplicate_check);
    SIZE(ipos_train_config), AT(ipos_train_config, clips), AT(ipos_train_config, minutes), AT(ipos_train_config, seed);
    AT(ipos_train_config, device), AT(ipos_train_config, preview), AT(ipos_train_config, look);
    SIZE(ipos_look_config), AT(ipos_look_config, clips), AT(ipos_look_config, marks), AT(ipos_look_config, shots);
    SIZE(ipos_option_info), AT(ipos_option_info, preset), AT(ipos_option_info, minimum), AT(ipos_option_info, maximum);
    SIZE(ipos_host_clip), AT(ipos_host_clip, first), AT(ipos_host_clip, rate), AT(ipos_host_clip, licence);
    SIZE(ipos_result_info), AT(ipos_result_info, option), AT(ipos_result_info, score), AT(ipos_result_info, details);
    return 0;
}
