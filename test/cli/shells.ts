import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export type Shell = "bash" | "zsh" | "fish"

/** Files of the shell's own configuration: the prompt is `ready> `, pyro is completed, and ^X s tells the line as `<LINE>`. */
const configurations: Readonly<Record<Shell, string>> = {
  bash: `PS1='ready> '
bind 'set bell-style none'
bind -x '"\\C-xs": printf "<%s>" "$READLINE_LINE"'
source <(pyro completion bash)
`,
  zsh: `PS1='ready> '
unsetopt beep prompt_sp
autoload -Uz compinit
compinit -u -d "$ZDOTDIR/dump"
source <(pyro completion zsh)
_tell() { print -rn -- "<$BUFFER>" }
zle -N _tell
bindkey '^Xs' _tell
`,
  fish: `function fish_prompt
  echo -n 'ready> '
end
pyro completion fish | source
bind \\cxs 'printf "<%s>" (commandline)'
`
}

/** How to start an interactive shell with nothing of the user's; `setUp` is done there after its own set-up. */
export const interactive = (shell: Shell, folder: string, setUp: string) => {
  const home = join(folder, `home-${shell}`)
  mkdirSync(home, { recursive: true })
  const rc = join(home, shell === "zsh" ? ".zshrc" : "rc")
  writeFileSync(rc, `${configurations[shell]}${setUp}\n`)
  const args: Readonly<Record<Shell, ReadonlyArray<string>>> = {
    bash: ["--noprofile", "--rcfile", rc, "-i"],
    zsh: ["-i"],
    fish: ["--no-config", "-i", "-C", `source ${rc}`]
  }
  return { args: args[shell], variables: { HOME: home, ZDOTDIR: home, INPUTRC: "/dev/null" } }
}
