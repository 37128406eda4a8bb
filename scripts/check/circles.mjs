/** Strongly connected parts of more than one node, by Tarjan's algorithm; each sorted. `needs` maps a node to the set of nodes it needs. */
export const circlesOf = (needs) => {
  const order = new Map()
  const lowest = new Map()
  const stack = []
  const circles = []
  const visit = (node) => {
    order.set(node, order.size)
    lowest.set(node, order.get(node))
    stack.push(node)
    for (const next of needs.get(node) ?? []) {
      if (!order.has(next)) visit(next)
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)))
    }
    if (lowest.get(node) !== order.get(node)) return
    const circle = stack.splice(stack.indexOf(node))
    if (circle.length > 1) circles.push(circle.sort())
  }
  for (const node of needs.keys()) if (!order.has(node)) visit(node)
  return circles
}
