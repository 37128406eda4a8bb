/** Environment variables of a command, by name. */
export type Variables = Readonly<Record<string, string>>

/** Variables of a workspace that change the effect of git, shells and the loader of programs, whatever the words of a command. */
const STEERING = /^(GIT_|LD_|BASH_ENV$|ENV$)/

/** Whether the words of a command do not tell its effect: its caller gives variables, or the workspace has some of these. */
export const isSteered = (
  { env = {}, secretEnv = [] }: {
    readonly env?: Variables | undefined
    readonly secretEnv?: ReadonlyArray<string> | undefined
  },
  own: Variables = {}
): boolean =>
  Object.keys(env).length > 0 || secretEnv.length > 0 || Object.keys(own).some((name) => STEERING.test(name))
