"""What the backbones' tests share."""

import socket

import pytest


@pytest.fixture
def free_port() -> int:
    """A port at which processes of a test may meet."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
