const page = globalThis.document

const styleElement = () => {
  const element = page.createElement("template")
  const sheet = new CSSStyleSheet()
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet]
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) })
  element.remove = () => {
    HTMLElement.prototype.remove.call(element)
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((one) => one !== sheet)
  }
  return element
}

const span = () => {
  const element = page.createElement("span")
  element.setAttribute = (name, value) => {
    if (name === "style") element.style.cssText = value
    else HTMLElement.prototype.setAttribute.call(element, name, value)
  }
  return element
}

const createElement = (name: string) =>
  name === "style" ? styleElement() : name === "span" ? span() : page.createElement(name)

/**
 * The document that xterm.js sees: vite.config.ts puts it in the place of the global one. The page's policy allows no style inside the HTML, and
 * xterm.js makes `<style>` elements and `style` attributes. Here their texts become constructed style sheets and properties of the element's style,
 * which the policy allows because no markup can make them.
 */
export const document = new Proxy(page, {
  get: (target, name) => {
    if (name === "createElement") return createElement
    const value: unknown = Reflect.get(target, name, target)
    return typeof value === "function" ? value.bind(target) : value
  },
  set: (target, name, value) => Reflect.set(target, name, value, target)
})
