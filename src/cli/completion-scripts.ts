/**
 * Bash splits words at `:`, `=` and `@`, also within `debian:12`: they are joined for pyro. Its answers are cut to what bash puts in the
 * place of `$2`, which has the `@` but no `:` or `=` in front, and is the whole word where COMP_WORDBREAKS has none of them.
 */
const bash = `_pyro() {
  local -a words=()
  local at word cut joined=
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ \${#words[@]} -gt 0 && ( -n $joined || $word == [:=@]* ) ]]; then
      words[-1]+=$word
      [[ $word == *[:=@] ]] && joined=1 || joined=
    else
      words+=("$word")
    fi
  done
  mapfile -t COMPREPLY < <("$1" __complete -- "\${words[@]}" 2>/dev/null)
  word=\${words[-1]}
  cut=\${word%"$2"}
  if [[ $word == "$cut$2" ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  else
    COMPREPLY=()
  fi
  # More is to be typed behind a workspace or a directory.
  [[ \${#COMPREPLY[@]} -ne 1 || \${COMPREPLY[0]} != *[:/] ]] || compopt -o nospace 2>/dev/null
}
complete -o default -F _pyro pyro
`

const zsh = `#compdef pyro
_pyro() {
  local -a candidates
  candidates=(\${(f)"$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#candidates} )); then
    # More is to be typed behind a workspace or a directory.
    compadd -S '' -- \${(M)candidates:#*[:/]}
    compadd -- \${candidates:#*[:/]}
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _pyro ]]; then
  _pyro "$@"
else
  compdef _pyro pyro
fi
`

/** An empty word is to be one argument: with `string collect --allow-empty` it is two in fish 3.6. */
const fish = `function __pyro_complete
  set -l words (commandline -opc)
  set -l token (commandline -ct)
  set -l candidates ($words[1] __complete -- $words[2..-1] "$token" 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c pyro -f -a '(__pyro_complete)'
`

/** Scripts that a shell sources for completion. */
export const completionScripts = { bash, zsh, fish } as const

export const completionHelp = `Print a script that completes pyro's command lines, names of workspaces included.

Usage
  pyro completion bash|zsh|fish

Set up
  bash   echo 'source <(pyro completion bash)' >> ~/.bashrc
  zsh    echo 'source <(pyro completion zsh)' >> ~/.zshrc      (after compinit)
  fish   pyro completion fish > ~/.config/fish/completions/pyro.fish
`
