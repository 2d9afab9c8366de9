#!/usr/bin/env python3
"""A camera for tests: an RTSP server on the loopback that plays files.

    rtsp_server.py [--port N] [--user NAME:PASSWORD --scheme basic|digest] PATH=CODEC:FILE...

CODEC is h264 or h265 (a file of MPEG-TS), jpeg (an AVI file), or tone (no file, no video). Prints the port when it listens. Needs Debian's python3-gi and gir1.2-gst-rtsp-server-1.0.
"""

import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

LAUNCH = {
    "h264": "filesrc location={} ! tsdemux ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96",
    "h265": "filesrc location={} ! tsdemux ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96",
    "jpeg": "filesrc location={} ! avidemux ! jpegparse ! rtpjpegpay name=pay0 pt=26",
    "tone": "audiotestsrc is-live=true {}! mulawenc ! rtppcmupay name=pay0 pt=0",
}


def protect(server, mounts, user, scheme):
    name, password = user.split(":", 1)
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if scheme == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(name, password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(name, password, token)
    server.set_auth(auth)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--scheme", choices=["basic", "digest"], default="digest")
    parser.add_argument("streams", nargs="+", metavar="PATH=CODEC:FILE")
    args = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(args.port)
    mounts = server.get_mount_points()
    for stream in args.streams:
        path, codec = stream.split("=", 1)
        codec, _, file = codec.partition(":")
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + LAUNCH[codec].format(file) + " )")
        factory.set_shared(True)
        if args.user:
            role = GstRtspServer.RTSPMediaFactory.add_role_from_structure
            permissions = Gst.Structure.new_empty("viewer")
            for permission in ("media.factory.access", "media.factory.construct"):
                permissions.set_value(permission, True)
            role(factory, permissions)
        mounts.add_factory("/" + path, factory)
    if args.user:
        protect(server, mounts, args.user, args.scheme)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
