/**
 * A Python program for root in a guest: prints `file PATH` and `memory PID` for each file and each process that has a text. The program does not contain the
 * text: it joins two halves, and leaves itself out.
 */
export const searchGuest = (text: string): string => {
  const middle = Math.floor(text.length / 2)
  return `import os
wanted = b"".join([${JSON.stringify(text.slice(0, middle))}.encode(), ${JSON.stringify(text.slice(middle))}.encode()])
searched = {"files": 0, "processes": 0}
for top in ["/workspace", "/home", "/root", "/etc", "/tmp", "/var", "/run", "/dev/shm", "/opt"]:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            try:
                if os.path.islink(path) or not os.path.isfile(path): continue
                with open(path, "rb") as file:
                    searched["files"] += 1
                    if wanted in file.read(): print("file", path)
            except OSError: pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) == os.getpid(): continue
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            searched["processes"] += 1
            for line in maps:
                span, mode = line.split()[:2]
                if not mode.startswith("rw"): continue
                start, end = (int(one, 16) for one in span.split("-"))
                # Pieces overlap, so that no text is cut.
                for at in range(start, end, 1 << 24):
                    try:
                        memory.seek(at)
                        if wanted in memory.read(min(end - at, (1 << 24) + 4096)): print("memory", pid)
                    except OSError: break
    except OSError: pass
print("searched", searched["files"] > 100, searched["processes"] > 2)
`
}
