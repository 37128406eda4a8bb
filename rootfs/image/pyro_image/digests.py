"""SHA-256, as quick as this processor can."""

import os

OPENSSL_VARIABLE = "OPENSSL_ia32cap"

# QEMU translates the vector instructions that OpenSSL chooses for SHA-256 into slower code than those of any x86-64.
with open("/proc/cpuinfo", encoding="utf-8") as cpu:
    if "QEMU TCG" in cpu.read():
        os.environ[OPENSSL_VARIABLE] = "0:0"
import hashlib  # noqa: E402 # OpenSSL reads the variable when it is loaded.

os.environ.pop(OPENSSL_VARIABLE, None)

sha256 = hashlib.sha256


def digest_of(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()
