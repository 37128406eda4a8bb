import { folded } from "./folded.ts"

/**
 * Files that tools of a host execute by themselves: when a directory is entered, listed or opened in an editor, when an agent or a
 * shell starts there, at a commit, or at any call of a package manager. Each rule names a file, or a directory with its content, at any
 * depth. A rule may have several successive components; `*` matches any text.
 *
 * The line is between files that a tool executes and files that a model reads. Instructions in prose (AGENTS.md, CLAUDE.md,
 * GEMINI.md, .cursorrules, .windsurfrules, .goosehints, .github/copilot-instructions.md) are not in the list: a README can say the
 * same, and the host asks before the model's commands run. A directory with both kinds (.claude, .cursor, .clinerules) is in the list.
 *
 * Not in the list either, on purpose:
 * - files that a person runs by name as the project's own code (Makefile, package.json, build.rs, test configuration, linters'
 *   JavaScript): a person exports the project to run it;
 * - .gitattributes and .gitmodules: they choose among drivers and addresses, and git takes no command from them;
 * - .nvmrc, .node-version, .python-version, .ruby-version: they name a version, and no path of a program;
 * - .env.example, .env.sample, .env.template: people copy them, and no loader reads them;
 * - .github/workflows and other hosted CI: runs elsewhere, after somebody has pushed it.
 *
 * Sources:
 * - agents: code.claude.com/docs (settings, hooks, MCP, plugins), developers.openai.com/codex (config, hooks), geminicli.com/docs
 *   (configuration: settings and .env), opencode.ai/docs/config, cursor.com/docs (hooks, MCP, environments),
 *   docs.github.com/en/copilot/reference/copilot-cli-reference (hooks, extensions, LSP, MCP), docs.cline.bot/customization/hooks,
 *   kilo.ai/docs/automate/mcp, docs.mistral.ai/vibe/code/cli/configuration, docs.openhands.dev/openhands/usage/customization,
 *   kiro.dev/docs (hooks), aider.chat/docs/config, docs.rs/crate/agent-config (docs/agents: project files of some thirty agents);
 * - editors: code.visualstudio.com/docs/editor/workspace-trust, zed.dev/docs (tasks, language servers), containers.dev,
 *   build-server-protocol.github.io (argv of a build server), rust-analyzer.github.io (overrideCommand);
 * - git: git-scm.com/docs/gitrepository-layout (commondir, config.worktree), hk.jdx.dev, prek.j178.dev;
 * - shells and versions: direnv.net, mise.jdx.dev/configuration.html, asdf-vm.com (`path:` in .tool-versions),
 *   rust-lang.github.io/rustup/overrides.html (`path` of a toolchain), bun.com/docs/runtime/env, nodejs.org/api/cli.html (NODE_OPTIONS);
 * - packages: docs.npmjs.com, pnpm.io/settings, yarnpkg.com/configuration/yarnrc, github.com/bazelbuild/bazelisk.
 */
const rules: ReadonlyArray<readonly [reason: string, names: string]> = [
  [
    "an editor runs tasks, tools or language servers from it",
    ".vscode .idea .zed .fleet .helix .vs .nova .theia .settings .idx *.code-workspace *.sublime-project .externaltoolbuilders .vim " +
    ".nvim .vimrc .gvimrc .exrc .nvimrc .nvim.lua .lvimrc .vimrc.local .local.vimrc .dir-locals.el .dir-locals-2.el .emacs .emacs.d " +
    ".ycm_extra_conf.py .kateconfig .kateproject .lite_project.lua .bsp .factorypath rust-analyzer.toml .rust-analyzer.toml"
  ],
  [
    "a coding agent runs hooks, servers or commands from it",
    ".claude .claude.json .claude-plugin .mcp.json mcp.json .mcp .lsp.json .cursor .codex .gemini .windsurf .codeium .devin .continue " +
    ".continuerc.json .roo .roomodes .kiro .amp .amazonq .qwen .junie .trae .augment .factory .goose .agents .agent .cline .clinerules " +
    ".kilo* kilo.json kilo.jsonc .pi .vibe .openhands .copilot .opencode opencode.json opencode.jsonc .crush .crush.json crush.json " +
    ".aider* .github/hooks .github/extensions .github/agents .github/copilot .github/lsp.json .github/mcp.json .iflow .qoder " +
    ".codebuddy .codebuff codebuff.json .rovodev .kimi .grok .antigravity .zencoder .tabnine .serena .conductor " +
    "conductor.json .superset .mux"
  ],
  ["an agent, a runtime or a tool loads variables from it, such as NODE_OPTIONS", ".env .env.* .flaskenv"],
  [
    "entering the directory runs it, or a tool takes a program from a path in it (direnv, mise, asdf and the like)",
    ".envrc .direnv .mise.toml mise.toml .mise.local.toml mise.local.toml .mise.*.toml mise.*.toml .mise mise/config.toml " +
    ".config/mise .config/mise.toml .rtx.toml .autoenv .autoenv.zsh .tool-versions .prototools rust-toolchain rust-toolchain.toml"
  ],
  ["an editor or agent starts a container from it, with commands on the host", ".devcontainer .devcontainer.json"],
  [
    "git runs it at a commit or another of its own steps",
    ".husky .githooks .git-hooks .pre-commit-config.yaml .pre-commit-config.yml lefthook.yml lefthook.yaml .lefthook.yml " +
    ".lefthook.yaml lefthook.toml .lefthook.toml lefthook-local.yml .lefthook-local.yml lefthook-local.yaml .lefthook .overcommit.yml .gitconfig .config/git " +
    "hk.pkl .config/hk.pkl prek.toml"
  ],
  ["version control runs hooks from it", ".hg .hgrc .sl .jj .bzr .svn .p4config _darcs .pijul .fslckout _fossil_"],
  [
    "a package manager or build tool loads code or names programs from it at any call",
    ".npmrc .yarnrc .yarnrc.yml .yarn pnpm-workspace.yaml .pnpmfile.cjs .pnpmfile.mjs .pnp.cjs .pnp.loader.mjs .bunfig.toml bunfig.toml " +
    "pip.conf pip.ini .pip .config/pip .condarc .cargo .bundle .gemrc .mvn .bazelrc .bazeliskrc .bazelversion .buckconfig .terraformrc " +
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
    ".erlang .clojure .psqlrc .sqliterc .radare2rc .ipython .jupyter .pythonrc .pythonrc.py .perldb .octaverc .gnuplot"
  ],
  [
    "the session or a service of the user's runs it",
    ".ssh .gnupg .config/autostart .config/systemd .local/bin .local/share/applications .xinitrc .xprofile .xsession " +
    ".xsessionrc .tmux.conf .screenrc .forward .procmailrc .config/nvim .config/environment.d .pam_environment .mailcap .lessfilter " +
    ".aws .docker .kube"
  ]
]

/** Names that fit a pattern, and that no tool loads. */
const notLoaded: ReadonlySet<string> = new Set([".env.example", ".env.sample", ".env.template"])

/** Rules without `*`, by the folded first component. */
const table = new Map<string, Array<{ readonly rest: ReadonlyArray<string>; readonly reason: string }>>()
const patterns: Array<{ readonly fits: (name: string) => boolean; readonly reason: string }> = []
for (const [reason, names] of rules) {
  for (const name of names.toLowerCase().split(" ")) {
    if (name.includes("*")) {
      const [start = "", end = ""] = name.split("*")
      patterns.push({
        fits: (component) => component.startsWith(start) && component.endsWith(end) && !notLoaded.has(component),
        reason
      })
    } else {
      const [first = "", ...rest] = name.split("/")
      table.set(first, [...(table.get(first) ?? []), { rest, reason }])
    }
  }
}

/** Reason why tools of the host execute the file at this path by themselves. `undefined` if they do not. */
export const executableConfig = (path: string): string | undefined => {
  const components = path.split(/[/\\]/).map(folded)
  for (const [at, component] of components.entries()) {
    if (isOfRepository(component, components[at + 1])) return REPOSITORY
    const found = table.get(component)?.find(({ rest }) => rest.every((name, i) => components[at + 1 + i] === name)) ??
      patterns.find(({ fits }) => fits(component))
    if (found !== undefined) return found.reason
  }
  return undefined
}

const REPOSITORY = "git takes the directory for a repository, and runs what its config says"
/** Entries of a repository. `commondir` names another directory for the last two and for the config. */
const REPOSITORY_NAMES = new Set(["head", "commondir", "objects", "refs"])

/** Directories that git would treat as a repository. The paths include the directories above them. */
export const repositoriesIn = (paths: Iterable<string>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const inside = new Map<string, Set<string>>()
  for (const path of paths) {
    const slash = path.lastIndexOf("/")
    const name = folded(path.slice(slash + 1))
    if (path === "" || !REPOSITORY_NAMES.has(name)) continue
    const folder = path.slice(0, Math.max(slash, 0))
    const names = (inside.get(folder) ?? new Set()).add(name)
    inside.set(folder, names)
    if (names.has("head") && (names.has("commondir") || (names.has("objects") && names.has("refs")))) {
      found.set(folder, REPOSITORY)
    }
  }
  return found
}

/** Whether a file decides what git does in a repository without a work tree, which has such a name: `fixtures/bare.git/config`. */
const isOfRepository = (folder: string, name: string | undefined) =>
  folder.endsWith(".git") && /^(?:config|config\.worktree|commondir|hooks)$/.test(name ?? "")

/** Reasons by raw path, for files that tools of the host would execute by themselves. */
export type ExecutablePaths = ReadonlyMap<string, string>

/** Paths, and the directories above them. */
const withParents = (paths: ReadonlyArray<string>): ReadonlySet<string> => {
  const all = new Set(paths)
  for (const path of paths) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash)
      if (all.has(parent)) break
      all.add(parent)
    }
  }
  return all
}

/** Reasons for the paths that a patch writes or removes. */
export const executablePaths = (paths: ReadonlyArray<string>): ExecutablePaths =>
  new Map([
    ...paths.flatMap((path) => {
      const reason = executableConfig(path)
      return reason === undefined ? [] : [[path, reason] as const]
    }),
    ...repositoriesIn(withParents(paths))
  ])
