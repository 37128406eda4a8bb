/** docs/configuration.md as text, from src/system/settings/variables.ts. */
export const configuration = ({ allowedText, variables }) => {
  const table = (title, wanted) => [
    title,
    "",
    "| variable | meaning | allowed | unit | default | read by |",
    "|---|---|---|---|---|---|",
    ...Object.entries(variables).filter(([, { group }]) => group === wanted).map(([name, row]) => {
      const otherwise = row.otherwise ?? `\`${row.default}\``
      const cells = [`\`${name}\``, row.purpose, allowedText(row.allowed), row.unit ?? "", otherwise, row.readers]
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
    }),
    ""
  ]
  return [
    "# Configuration",
    "",
    "Generated from `src/system/settings/variables.ts` by `node scripts/docs.mjs`; `npm run check` fails when it is out of step.",
    "",
    "pyro has no configuration file. It reads these environment variables. An empty value counts as none. A value that is not allowed",
    "is the error `invalid_configuration`, which names the variable, its value and the allowed values; nothing is done then.",
    "",
    "A variable that the daemon reads counts when the daemon starts. The command that starts the daemon passes its own variables on.",
    "To change such a variable, end the daemon (`pyro daemon stop`); the next command starts one. Workspaces go on meanwhile.",
    "`pyro config` shows the value that the running daemon has, marked `daemon`, where this shell has another.",
    "",
    ...table("## Variables of pyro", "pyro"),
    ...table("## Variables of the host that pyro reads", "host"),
    "Downloads and git also follow the host's proxy variables: `http_proxy`, `https_proxy`, `ftp_proxy`, `all_proxy` and `no_proxy`, in",
    "lower or upper case. Git's own `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_SYSTEM`, `GIT_CONFIG_NOSYSTEM` and `XDG_CONFIG_HOME` say where the",
    "`user.name`, `user.email`, ignore and attribute files of the host are. Settings of `GIT_CONFIG_COUNT` and `GIT_CONFIG_PARAMETERS`",
    "for these count, too. So do `GIT_AUTHOR_NAME` and `GIT_AUTHOR_EMAIL`, as author and committer. `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE`,",
    "`GIT_OBJECT_DIRECTORY`, `GIT_COMMON_DIR` and another `GIT_COMMITTER_NAME` or `GIT_COMMITTER_EMAIL` do not, and a warning says so.",
    "",
    ...table("## Variables of pyro's own tests", "testing"),
    "Tests, the bench and the scripts of a checkout read more variables; the file that reads one describes it."
  ].join("\n") + "\n"
}
