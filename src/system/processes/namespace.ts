/**
 * Arguments that run a command as root of its own mount and pid namespaces. Root keeps its ids. For an ordinary user, root inside
 * is the user, and other ids are the subordinate ones of `/etc/subuid`. So the tree has correct owners inside, and files written
 * outside belong to the user.
 */
export const asNamespaceRoot = (command: ReadonlyArray<string>): readonly [string, ...Array<string>] => {
  const ids = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user", "--map-auto"]
  return ["unshare", ...ids, "--mount", "--pid", "--fork", "--kill-child", ...command]
}

/** Advice for a namespace that could not be made, from the output of `unshare`. None for another error. */
export const namespaceAdvice = (stderr: string): string | undefined => {
  if (/newuidmap|newgidmap/.test(stderr) && /No such file|not found/.test(stderr)) {
    return "newuidmap is missing; install it with: sudo apt-get install uidmap"
  }
  if (/subuid|subgid|newuidmap|newgidmap|uid_map|no line matching user/i.test(stderr)) {
    return "this user has no subordinate ids; add them with: " +
      "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
  }
  if (/unshare: unshare failed|unshare: cannot|unshare: mount/.test(stderr)) {
    return `this host does not let this user make namespaces (${stderr.trim().split("\n")[0] ?? ""})`
  }
  return undefined
}
