"""SHA-256, as quick as this processor can."""

import os

# QEMU translates the vector instructions that OpenSSL chooses for SHA-256 into slower code than those of any x86-64.
with open("/proc/cpuinfo", encoding="utf-8") as cpu:
    if "QEMU TCG" in cpu.read():
        os.environ["OPENSSL_ia32cap"] = "0:0"
import hashlib  # noqa: E402 # OpenSSL reads the variable when it is loaded.

os.environ.pop("OPENSSL_ia32cap", None)

sha256 = hashlib.sha256


def digest_of(content):
    return "sha256:" + sha256(content).hexdigest()
