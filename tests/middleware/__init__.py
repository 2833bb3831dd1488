"""``lossless.middleware`` under real servers, over real sockets."""
