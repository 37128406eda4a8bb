"""Reads what a root says of its users. The root is hostile."""

from __future__ import annotations

import re

from pyro_image.common import Refused

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def ids(path: str, name: str, field: int = 0) -> tuple[str, str] | None:
    """Of passwd or group, the third and fourth field of the first line with this name, or this uid in `field`."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.rstrip("\n").split(":")
                if len(fields) > 2 and fields[field] == name:
                    return fields[2], fields[3] if len(fields) > 3 else ""
    except OSError:
        pass
    return None


def user_of(text: str, root: str) -> str:
    """USER of an image as uid:gid. A uid without an entry has group 0, as in container engines."""
    user, _, group = text.partition(":")
    found = ids(f"{root}/etc/passwd", user, 2 if user.isdigit() else 0)
    uid, gid = found or ((user, "0") if user.isdigit() else (None, None))
    if group != "":
        gid = group if group.isdigit() else (ids(f"{root}/etc/group", group) or [None])[0]
    if uid is None or gid is None:
        raise Refused("image", f"its user {text!r} is in neither /etc/passwd nor /etc/group")
    return f"{uid}:{gid}"


def account_of(text: str, root: str) -> str | None:
    """The name or uid that a guest looks up for the supplementary groups of USER.

    None: as in container engines, ids with a group, and ids that /etc/passwd does not have, have no others.
    """
    if not PLAIN_NAME.fullmatch(text):
        return None
    found = ids(f"{root}/etc/passwd", text, 2 if text.isdigit() else 0)
    # A guest's root has all rights without groups.
    return None if found is None or found[0] == "0" else text
