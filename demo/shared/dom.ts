type Child = Node | string;

/** An element with attributes; `true` is an attribute without a value, `false` none. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number | boolean> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/** The element of the page with an id. */
export function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as T;
}

/** Sets a text where it is another, so that nothing is laid out, or read aloud, for nothing. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Marks content that is about to be replaced, for the eye (base.css) and for screen readers. */
export function setBusy(node: Element, busy: boolean): void {
  const now = String(busy);
  if (node.getAttribute('aria-busy') !== now) node.setAttribute('aria-busy', now);
}

const styles = new Map<string, string>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => styles.clear());

/** The value of a custom property of the page's style, which is another in the dark. Asking the browser is dear. */
export function styleOf(name: string): string {
  const known = styles.get(name) ?? getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  styles.set(name, known);
  return known;
}

/** A file for the visitor to keep. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = element('a', { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
