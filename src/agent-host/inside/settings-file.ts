/** Lines of a shell script that write a file beneath the guest's home directory, unless there is one. */
export const settingsFile = (file: string, text: string): string =>
  `mkdir -p "$HOME/$(dirname '${file}')"
[ -e "$HOME/${file}" ] || cat >"$HOME/${file}" <<'SETTINGS'
${text.trimEnd()}
SETTINGS`
