import { folded } from "./names.ts"

/**
 * What tools of a host execute by themselves: when a directory is entered, listed or opened in an editor, when an agent or a
 * shell starts there, at a commit, or at any call of a package manager. Each rule is a file, or a directory with all in it,
 * at any depth; a rule of several components is these in a row, `*.x` any name that ends so.
 *
 * Not in the list, on purpose:
 * - what a person runs by name as the project's own code (Makefile, package.json, build.rs, test configuration, linters'
 *   JavaScript): running the exported project is what it was exported for;
 * - .gitattributes and .gitmodules: they choose among drivers and addresses, and git takes no command from them;
 * - .github/workflows and other hosted CI: runs elsewhere, after somebody has pushed it;
 * - instructions in prose (AGENTS.md, CLAUDE.md, .cursorrules): read, not executed; a README can say the same.
 */
const rules: ReadonlyArray<readonly [reason: string, names: string]> = [
  [
    "an editor runs tasks, tools or language servers from it",
    ".vscode .idea .zed .fleet .helix .vs .nova .theia .settings *.code-workspace .vim .nvim .vimrc .gvimrc .exrc .nvimrc " +
    ".nvim.lua .lvimrc .vimrc.local .local.vimrc .dir-locals.el .dir-locals-2.el .emacs .emacs.d .ycm_extra_conf.py " +
    ".kateconfig .kateproject"
  ],
  [
    "a coding agent runs hooks, servers or commands from it",
    ".claude .claude.json .mcp.json mcp.json .cursor .codex .gemini .windsurf .continue .roo .kiro .amp .amazonq .qwen .junie " +
    ".trae .augment .factory .goose .agents .agent .cline .copilot .opencode opencode.json opencode.jsonc .crush " +
    ".crush.json crush.json .aider.conf.yml .github/hooks"
  ],
  [
    "entering the directory runs it (direnv, mise and the like)",
    ".envrc .direnv .mise.toml mise.toml .mise.local.toml mise.local.toml .mise .rtx.toml .autoenv .autoenv.zsh .env.fish"
  ],
  ["an editor or agent starts a container from it, with commands on the host", ".devcontainer .devcontainer.json"],
  [
    "git runs it at a commit or another of its own steps",
    ".husky .githooks .git-hooks .pre-commit-config.yaml .pre-commit-config.yml lefthook.yml lefthook.yaml .lefthook.yml " +
    ".lefthook.yaml lefthook-local.yml .lefthook-local.yml .lefthook .overcommit.yml .gitconfig .config/git"
  ],
  ["version control runs hooks from it", ".hg .hgrc .sl .jj .bzr .svn .p4config"],
  [
    "a package manager or build tool loads code or names programs from it at any call",
    ".npmrc .yarnrc .yarnrc.yml .yarn .pnpmfile.cjs .pnpmfile.mjs .pnp.cjs .pnp.loader.mjs .bunfig.toml bunfig.toml " +
    "pip.conf pip.ini .pip .config/pip .condarc .cargo .bundle .gemrc .mvn .bazelrc .buckconfig .terraformrc " +
    ".sbtopts .sbtrc .jvmopts .composer .config/composer"
  ],
  [
    "a shell runs it when it starts",
    ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin .zlogout .cshrc " +
    ".tcshrc .login .logout .kshrc .mkshrc .shrc .config/fish .config/nushell .inputrc .xonshrc"
  ],
  [
    "an interpreter or debugger runs it when it starts here",
    ".gdbinit .gdbearlyinit .lldbinit .pdbrc .irbrc .pryrc .Rprofile .Renviron .ghci .ocamlinit .utop-init.ml .iex.exs " +
    ".erlang .clojure .psqlrc .sqliterc .radare2rc .ipython .jupyter .pythonrc .pythonrc.py"
  ],
  [
    "the session or a service of the user's runs it",
    ".ssh .gnupg .config/autostart .config/systemd .local/bin .local/share/applications .xinitrc .xprofile .xsession " +
    ".xsessionrc .tmux.conf .screenrc .forward .procmailrc .config/nvim .config/environment.d .pam_environment .mailcap"
  ]
]

/** By the first component, folded; suffix rules apart. */
const table = new Map<string, Array<{ readonly rest: ReadonlyArray<string>; readonly reason: string }>>()
const suffixes: Array<{ readonly suffix: string; readonly reason: string }> = []
for (const [reason, names] of rules) {
  for (const name of names.split(" ")) {
    if (name.startsWith("*")) {
      suffixes.push({ suffix: name.slice(1).toLowerCase(), reason })
      continue
    }
    const [first = "", ...rest] = name.toLowerCase().split("/")
    table.set(first, [...(table.get(first) ?? []), { rest, reason }])
  }
}

/** Why tools of the host execute what is at this path by themselves; undefined when they do not. */
export const executableConfig = (path: string): string | undefined => {
  const components = path.split(/[/\\]/).map(folded)
  for (const [at, component] of components.entries()) {
    const found = table.get(component)?.find(({ rest }) => rest.every((name, i) => components[at + 1 + i] === name)) ??
      suffixes.find(({ suffix }) => component.endsWith(suffix))
    if (found !== undefined) return found.reason
  }
  return undefined
}

/** A directory with these in it is a repository to git, which runs what its `config` says. */
export const bareRepository = {
  names: ["head", "objects", "refs"],
  reason: "git takes the directory for a repository, and runs what its config says"
} as const
