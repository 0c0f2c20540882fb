"""Fetches files with PyPI's `spsftp`, which reads the metadata first and takes a file only when it is the recipient, then deletes them.

usage: NAME PORT KEY ACCOUNT FOLDER, where fetched files are put. The host's files are from `cpr-host`.
"""

import sys
from pathlib import Path

from spsftp import SpSftp

port, key, account, folder = sys.argv[1:]
client = SpSftp({"user": account, "host": "127.0.0.1", "port": port, "ssh_key_path": key})
client.connect()
names = client.sftp.listdir("IN")
for name in (name for name in names if f"{name}.metadata" in names):
    with open(Path(folder) / name, "wb") as file:
        client.recv(name, file, "cpr-host")
    client.sftp.remove(f"IN/{name}")
    client.sftp.remove(f"IN/{name}.metadata")
client.disconnect()
