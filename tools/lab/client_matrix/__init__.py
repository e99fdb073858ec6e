"""What the tests of clients share: images that are real, a registry to talk to, programs to talk with."""
