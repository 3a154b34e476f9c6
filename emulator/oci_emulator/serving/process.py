"""A process that is an emulator, from its ready line to the signal that ends it."""

import asyncio
import json
import signal
import sys

from oci_emulator.serving.emulator import Emulator
from oci_emulator.serving.settings import Settings


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; when ready, print all that clients need in one line of JSON.

    Raises:
        StartError: another emulator has the state directory, or a setting can't be used.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    emulator = Emulator(settings)
    announcement = await emulator.start()
    sys.stdout.write(json.dumps(announcement) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await emulator.stop()
