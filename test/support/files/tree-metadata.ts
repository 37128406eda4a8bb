/** Program for python3: lists all metadata of the tree in its first argument as JSON, except for the paths in its other arguments. */
export const metadataProgram = `
import hashlib, json, os, stat, sys
root, left_out = sys.argv[1], set(sys.argv[2:])
seen, rows = {}, {}
def content(path, status):
    if stat.S_ISLNK(status.st_mode): return os.readlink(path)
    if stat.S_ISREG(status.st_mode): return hashlib.sha256(open(path, "rb").read()).hexdigest()[:16]
    return status.st_rdev if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) else ""
def take(path):
    status, name = os.lstat(path), os.path.relpath(path, root)
    isDirectory = stat.S_ISDIR(status.st_mode)
    first = "" if isDirectory or status.st_nlink == 1 else seen.setdefault((status.st_dev, status.st_ino), name)
    names = [one for one in sorted(os.listxattr(path, follow_symlinks=False)) if not one.startswith("trusted.overlay.")]
    attributes = {one: os.getxattr(path, one, follow_symlinks=False).hex() for one in names}
    # A symbolic link has no mode of its own.
    mode = "link" if stat.S_ISLNK(status.st_mode) else oct(status.st_mode)
    rows[name] = [mode, status.st_uid, status.st_gid, int(status.st_mtime), "" if isDirectory else status.st_size,
                  "" if isDirectory else status.st_nlink, first, content(path, status), attributes]
for folder, folders, files in os.walk(root):
    folders[:] = sorted(one for one in folders if os.path.join(folder, one) not in left_out)
    take(folder)
    for one in sorted(files) + [one for one in folders if os.path.islink(os.path.join(folder, one))]: take(os.path.join(folder, one))
print(json.dumps(rows))
`

/** Metadata of a file: mode, owner, group, time, size, links, first name of a hard link, content or target or device, attributes. */
export type Metadata = Readonly<Record<string, ReadonlyArray<unknown>>>

/** Shell commands that make one file of each kind in the working directory, as root. python3 must be there. */
export const everyKind = `
echo text >plain; : >empty; chmod 0 empty; head -c 4096 /dev/zero >block; head -c 9000 /dev/urandom >tail
head -c 70000 /dev/urandom >set-id; chown 7:8 set-id; chmod 6755 set-id
cp set-id capable; python3 -c "import os; os.setxattr('capable', 'security.capability', bytes.fromhex('0100000200200000000000000000000000000000'))"
mkdir -m 1777 sticky; mkdir -m 2750 set-group; chgrp 50 set-group; mkdir -p deep/er/still; chown 1000:1000 deep/er; touch -d @1000000000 deep/er
ln plain same; ln set-id deep/set-id; ln -s plain link; chown -h 1000:1000 link; touch -h -d @1234567890 link; ln -s $(printf '%0300d' 0) long
mkfifo pipe; chmod 0620 pipe; touch -d '2001-02-03 04:05:06' tail; touch 'name with blank' "$(printf 'caf\\303\\251')"
python3 -c "
import os
os.setxattr('plain', 'user.note', b'n' * 300)
os.setxattr('sticky', 'user.note', b'')
for i in range(20):
    open(f'sharing-{i}', 'w').close()
    os.setxattr(f'sharing-{i}', 'user.of-all', b'one value')
os.mkdir('many')
for i in range(700): open(f'many/entry-{i:04}', 'w').close()
acl = bytes.fromhex('02000000') + b''.join(t.to_bytes(2, 'little') + p.to_bytes(2, 'little') + i.to_bytes(4, 'little')
    for t, p, i in [(1, 7, 2**32 - 1), (2, 6, 7), (4, 5, 2**32 - 1), (16, 7, 2**32 - 1), (32, 5, 2**32 - 1)])
os.setxattr('deep', 'system.posix_acl_access', acl)
"
`

/** Devices, which only the first user namespace may make. */
export const devices = "mknod character c 10 229; chmod 666 character; mknod disk b 300 70000"
