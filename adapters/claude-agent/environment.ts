/** Keys. The guest has placeholders of them, by `claudeCodeAccess`. */
const KEYS = /^(ANTHROPIC_(API_KEY|AUTH_TOKEN|CUSTOM_HEADERS)|CLAUDE_CODE_OAUTH_TOKEN)$/

/** Variables that describe a host: the guest has its own. */
const OF_HOST =
  /^(PATH|HOME|SHELL|USER|LOGNAME|PWD|OLDPWD|TMPDIR|HOSTNAME|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|LD_\w+|XDG_\w+)$/

/** Settings of Claude Code in a microVM: the microVM is the boundary, and nothing updates itself. */
const FIXED = {
  IS_SANDBOX: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_INSTALLATION_CHECKS: "1"
}

/**
 * The variables that Claude Code gets in the guest. The SDK passes all of this process: those that the program or the SDK has set for the agent pass,
 * and those for Claude Code. Others of the host stay there, and so does every key.
 */
export const environmentOf = (asked: Readonly<Record<string, string | undefined>>): Record<string, string> => ({
  ...FIXED,
  ...Object.fromEntries(
    Object.entries(asked).filter((entry): entry is [string, string] => {
      const [name, value] = entry
      if (value === undefined || KEYS.test(name) || OF_HOST.test(name)) return false
      // eslint-disable-next-line no-restricted-properties -- the SDK has copied these, whatever pyro knows of them
      return /^(CLAUDE|ANTHROPIC)_/.test(name) || process.env[name] !== value
    })
  )
})
