/** Committer, as in `user.name` and `user.email`. */
export interface Identity {
  readonly name?: string | undefined
  readonly email?: string | undefined
}

/** One line of printable text. */
const presentable = (text: string | undefined) => {
  const trimmed = text?.trim() ?? ""
  return trimmed !== "" && trimmed.length <= 200 && !/[\p{Cc}\ufffd]/u.test(trimmed) ? trimmed : undefined
}

/** Committer by settings. */
export const identityIn = (settings: ReadonlyMap<string, string>): Identity => ({
  name: presentable(settings.get("user.name")),
  email: presentable(settings.get("user.email"))
})

/** A repository's own settings have precedence, as in git. */
export const committer = (settings: ReadonlyMap<string, string>, host: Identity): Identity => {
  const own = identityIn(settings)
  return { name: own.name ?? host.name, email: own.email ?? host.email }
}
