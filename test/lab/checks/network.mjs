import { expectAll } from "./expect.mjs"

/** Name of the server outside, and of a machine that nothing grants. */
export const SERVER = "server.test.net"
const OTHER = "other.test.net"

const heredoc = (file, text) => `cat >${file} <<'PEM'\n${text.trim()}\nPEM\n`

/** A network namespace with the server at 203.0.113.10, as root: the machine itself has no network. */
export const outside = ({ authority, certificate, key }) =>
  `set -e
${heredoc("/root/server.pem", certificate)}${heredoc("/root/server.key", key)}${
    heredoc("/home/dev/authority.pem", authority)
  }
printf '203.0.113.10 ${SERVER} ${OTHER}\\n' >>/etc/hosts
ip netns add outside
ip link add wan type veth peer name wan netns outside
ip address add 198.51.100.2/24 dev wan
ip link set wan up
ip -n outside link set lo up
ip -n outside address add 203.0.113.10/32 dev lo
ip -n outside address add 198.51.100.1/24 dev wan
ip -n outside link set wan up
ip route add default via 198.51.100.1
setsid ip netns exec outside node /home/dev/.lab/outside.mjs /root/server.pem /root/server.key >/root/outside.log 2>&1 </dev/null &
until grep -q listening /root/outside.log; do sleep 0.5; done
`

const lineOf = (stdout, label) => stdout.split("\n").find((line) => line.startsWith(`${label}: `)) ?? ""

/** In the guest: one labelled line for each result. */
const inGuest = `
echo "allowed: $(curl -sS http://${SERVER}/)"
echo "address: $(curl -sS http://203.0.113.10/ 2>&1)"
echo "secret: $(curl -sS -H "x-key: $TOKEN" https://${SERVER}/ 2>&1)"
`

/** On the machine: pyro as a person uses it. Few commands, since each takes seconds here. */
const script = (environment) =>
  `set -e
export TOKEN=lab-secret-value PLAIN=lab-plain-value SSL_CERT_FILE=$HOME/authority.pem
pyro workspace create ${environment} --name net --mem-mib 256 --disk-mib 512 --allow-host ${SERVER} \\
  --secret-env TOKEN --secret-env PLAIN --secret-http TOKEN@${SERVER}:x-key --quiet
echo "user: $(id -u)"
pyro workspace exec net --script '${inGuest}'
echo "denied: $(pyro workspace exec net --script 'curl -sS http://${OTHER}/' 2>&1 | tr '\\n' ' ')"
echo "given: $(pyro workspace exec net --secret-env TOKEN=BOUND --secret-env PLAIN=SHOWN --script 'echo $BOUND $SHOWN')"
echo "denials: $(pyro workspace network log net --denied --json | tr '\\n' ' ')"
pyro workspace network set net --network-policy off --quiet
echo "off: $(pyro workspace exec net --script 'curl -sS http://${SERVER}/' 2>&1 | head -n 1)"
pyro workspace delete net --quiet
pyro daemon stop --quiet
`

/** Network and secrets of a workspace, for the lab's user. */
export const network = async (perform, environment) => {
  const result = await perform(script(environment))
  const says = (label, pattern) => [
    `${label} says ${pattern}`,
    ({ stdout }) => pattern.test(lineOf(stdout, label))
  ]
  return expectAll(result, [
    ["status 0", ({ status }) => status === 0],
    says("user", /: 1000$/),
    says("allowed", /"host":"server\.test\.net"/),
    says("denied", /denied other\.test\.net: .*--allow-host other\.test\.net/),
    says("address", /Failed to connect|refused/),
    says("given", /: pyro_secret_TOKEN_[0-9a-f]{32} \[secret:PLAIN\]$/),
    says("secret", /"key":"REAL"/),
    says("denials", /(?=.*"other\.test\.net").*"203\.0\.113\.10"/),
    says("off", /resolve|unreachable/)
  ])
}
