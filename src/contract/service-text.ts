/** Numbers of services by state, such as `2 ready, 1 failed`. */
export const servicesText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ")
