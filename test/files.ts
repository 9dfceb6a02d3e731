// Reads data files for tests: from a folder in Node, from the test server in a browser.

const node = (globalThis as { process?: { env: Record<string, string | undefined>; versions?: { node?: string } } })
  .process;
const inNode = node?.versions?.node !== undefined;

/** An environment variable; undefined in a browser. */
export const env = (name: string): string | undefined => node?.env[name];

/** The folder of the golden files: GOLDEN_DIR, or the repository's own. */
export const goldenDir: string = env('GOLDEN_DIR') ?? 'test/golden';

/** Names of the golden files, without `.json`. */
export async function listGolden(): Promise<string[]> {
  const names: string[] = inNode
    ? await (await import('node:fs/promises')).readdir(goldenDir)
    : await (await fetch(`${goldenDir}/index.json`)).json();
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5))
    .sort();
}

/** The content of a golden file. */
export async function readGolden<T>(name: string): Promise<T> {
  const path = `${goldenDir}/${name}.json`;
  return inNode
    ? JSON.parse(await (await import('node:fs/promises')).readFile(path, 'utf8'))
    : await (await fetch(path)).json();
}
