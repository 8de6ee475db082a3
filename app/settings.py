"""Settings of the server, from the environment with the prefix ``CONVOSCOPE_`` or from the command line."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KIB, MIB = 1024, 1024 * 1024


class Settings(BaseSettings):
    """Every bound that the server keeps; sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="CONVOSCOPE_")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    #: further host names that browsers may use, such as the name of this machine in its network
    allowed_hosts: list[str] = []
    #: who may show Convoscope in a frame, as in the Content-Security-Policy
    frame_ancestors: str = "'none'"

    max_connections: int = Field(default=400, ge=1)
    max_message_bytes: int = 64 * KIB
    max_frame_bytes: int = 256 * KIB
    #: frames that may wait for one client before its requests wait, too
    max_queued_frames: int = 8
    #: a client that takes no bytes for this long is dropped
    stalled_after_s: float = 8.0
    #: protocol errors in a row before the connection is closed
    max_errors_in_row: int = 20

    max_image_bytes: int = 8 * MIB
    max_image_pixels: int = 16_000_000
    image_cache_bytes: int = 256 * MIB
    image_timeout_s: float = 20.0

    max_flops: int = 4_000_000_000
    max_trace_bytes: int = 192 * MIB
    max_steps: int = 200_000_000
    trace_cache_bytes: int = 512 * MIB
    #: work of one request that computes without making a trace (nudges, iterations), ≈ 10 s
    max_request_flops: int = 40_000_000_000
    #: weights and optimiser states of advanced scenarios; those of the largest trace fit
    weights_cache_bytes: int = 192 * MIB
