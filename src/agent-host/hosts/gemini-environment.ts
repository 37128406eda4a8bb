import { named } from "../../contract/text/names.ts"
import { variablesOf } from "../connect/entries.ts"
import type { Variables } from "./agent-host.ts"

// Gemini CLI 0.61 takes variables out of what a server gets: packages/core/src/services/environmentSanitization.ts.

const ALWAYS = new Set(["PATH", "HOME", "LANG", "SHELL", "TMPDIR", "USER", "LOGNAME", "TERM", "COLORTERM"])

const NEVER = new Set([
  ...["CLIENT_ID", "DB_URI", "CONNECTION_STRING", "AWS_DEFAULT_REGION", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
  ...["SLACK_WEBHOOK_URL", "TWILIO_ACCOUNT_SID", "DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_ACCOUNT"],
  "FIREBASE_PROJECT_ID"
])

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|KEY|AUTH|CREDENTIAL|CREDS|PRIVATE|CERT/i

const SECRET_VALUE = [
  /-----BEGIN ((RSA|OPENSSH|EC|PGP) PRIVATE KEY|CERTIFICATE)-----/i,
  /(https?|ftp|smtp):\/\/[^:\s]{1,1024}:[^@\s]{1,1024}@/i,
  /((ghp|gho|ghu|ghs|ghr|github_pat)_[a-z0-9_]{36,}|AIzaSy[a-z0-9_\\-]{33}|AKIA[A-Z0-9]{16})/i,
  /(eyJ[a-z0-9_-]{0,10240}\.[a-z0-9_-]{0,10240}\.|(s|r)k_(live|test)_[0-9a-z]{24}|xox[abpr]-[a-z0-9-]+)/i
]

const isTakenOut = (name: string, value: string) => {
  const key = name.toUpperCase()
  if (key.startsWith("GEMINI_CLI_")) return false
  if (SECRET_VALUE.some((pattern) => pattern.test(value))) return true
  return !key.startsWith("GIT_CONFIG_") && !ALWAYS.has(key) && (NEVER.has(key) || SECRET_NAME.test(key))
}

/** `$NAME` and `${NAME}` stand for the host's variables; settings keep the word where there is none, and a server's variable becomes empty. */
const expanded = (value: string, own: Variables) =>
  value.replace(
    /\$(?:(\w+)|\{([^}]+?)(?::-([^}]*))?\})/g,
    (_, bare?: string, braced?: string, otherwise?: string) => own[bare ?? braced ?? ""] ?? otherwise ?? ""
  )

/** The variables that a server of Gemini CLI gets. */
export const geminiEnvironment = (own: Variables, entry: unknown): Variables =>
  named([
    ...Object.entries(own).filter(([name, value]) => !isTakenOut(name, value)),
    ...Object.entries(variablesOf(entry)).map(([name, value]) => [name, expanded(value, own)] as const)
  ])
