type Child = Node | string;

/** Creates an element. An attribute that is `true` has no value; one that is `false` is left out. */
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

/** Returns the element with an id. Throws if the page has none. */
export function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as T;
}

/** Returns the button with an id, after making it call `act`. */
export function button(id: string, act: () => void): HTMLButtonElement {
  const found = find<HTMLButtonElement>(id);
  found.addEventListener('click', act);
  return found;
}

/** Sets a text if it differs, so that the browser neither lays out nor reads aloud the same text again. */
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

/** Returns a custom property of the page's style. Cached, because asking the browser is slow; dark mode has other values. */
export function styleOf(name: string): string {
  const known = styles.get(name) ?? getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  styles.set(name, known);
  return known;
}

/** Offers a file to the visitor. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = element('a', { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  // The browser reads the content after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Copies the address. Returns whether the browser allowed it. */
export async function copyLink(): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(location.href);
    return true;
  } catch {
    return false;
  }
}
