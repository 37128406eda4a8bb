import { table } from "./names.ts"

const REAL_TIME = { least: 34, most: 64 } as const

/** Numbers of Linux's signals on x86-64, by their names without SIG. The guest is Linux, whatever the caller is. */
const NUMBERS = table<number>({
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: REAL_TIME.least,
  RTMAX: REAL_TIME.most
})

/** Number of a signal, as kill(1) and docker read it: TERM, SIGTERM, sigterm, RTMIN+1, 15. `undefined` for no signal. */
export const signalNumber = (text: string): number | undefined => {
  if (/^\d{1,2}$/.test(text)) return inRange(Number(text), 1)
  const [, name = "", sign, offset = "0"] = /^(?:SIG)?([A-Z0-9]+?)(?:([+-])(\d{1,2}))?$/.exec(text.toUpperCase()) ?? []
  const number = NUMBERS[name]
  if (number === undefined || sign === undefined) return number
  if (name !== (sign === "+" ? "RTMIN" : "RTMAX")) return undefined
  return inRange(number + Number(`${sign}${offset}`), REAL_TIME.least)
}

const inRange = (number: number, least: number) => number >= least && number <= REAL_TIME.most ? number : undefined

/** Name of a signal with SIG, such as SIGTERM or SIGRTMIN+1. */
export const numberSignal = (number: number): string => {
  const known = Object.entries(NUMBERS).find(([, one]) => one === number)?.[0]
  return known === undefined ? `SIGRTMIN+${number - REAL_TIME.least}` : `SIG${known}`
}
