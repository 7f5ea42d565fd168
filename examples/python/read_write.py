"""Reads an image, says what it holds, writes it again in another format: read_write.py IN OUT"""
import sys

import interpos

with interpos.Context() as context, interpos.Frame.read(context, sys.argv[1]) as frame:
    print(frame.window, frame.encoding or "encoding unknown")
    for channel in frame.channels:
        print(channel.name, channel.sample_type)
    for name, (kind, data) in frame.attributes.items():
        print(f"{name}: {kind}, {len(data)} bytes")
    frame.write(sys.argv[2])
