// Mutations are small edits that the tests must notice. test/mutations/*.mjs lists them by file, each as [from, to, ...tests]: `from`
// occurs once in the file, and with `to` in its place one of the tests must fail. tools/mutate.mjs makes the edits. An edit that changes
// nothing that can be observed is listed as [from, to, { equivalent: 'the reason' }].
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { profilesOf } from './plan.mjs';

/** Reads every edit of every list in a folder as { area, file, from, to, tests }; `area` is the list's name. */
export async function listMutations(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  const lists = names.sort().map(async (name) => {
    const { default: byFile } = await import(pathToFileURL(resolve(folder, name)).href);
    return Object.entries(byFile).flatMap(([file, edits]) =>
      edits.map(([from, to, ...rest]) => {
        const equivalent = rest[0]?.equivalent;
        return { area: name.slice(0, -4), file, from, to, tests: equivalent ? undefined : rest, equivalent };
      }),
    );
  });
  return (await Promise.all(lists)).flat();
}

/** Returns the runs that a name stands for: `ops/sum` for all profiles of the test, `ops/sum [disordered]` for one. */
export function runsNamed(tests, name) {
  const [, plain, only] = /^(.*?)(?: \[(.*)\])?$/.exec(name);
  const test = tests.find((one) => one.name === plain);
  const profiles = test ? profilesOf(plain).filter((profile) => !only || profile === only) : [];
  return profiles.map((profile) => ({ ...test, profile, title: `${plain} [${profile}]` }));
}

/** Returns the reason why an edit cannot be tried; undefined if it can. */
export function staleBecause({ file, from, to, tests: named, equivalent }, tests) {
  if (!existsSync(file)) return `there is no file ${file}`;
  const times = readFileSync(file, 'utf8').split(from).length - 1;
  if (times !== 1) return `from must occur once in ${file} but occurs ${times} times`;
  if (typeof to !== 'string' || to === from) return 'to must be another text than from';
  if (equivalent) return undefined;
  if (!named?.length) return 'an edit needs tests, or the reason why it is equivalent';
  const missing = named.find((name) => name !== 'check' && runsNamed(tests, name).length === 0);
  return missing && `there is no test ${missing}, or it does not run under that profile`;
}

/** Describes an entry in one line. */
export const showMutation = ({ file, from, to }) =>
  `${file}: ${[from, to].map((text) => JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text)).join(' -> ')}`;
