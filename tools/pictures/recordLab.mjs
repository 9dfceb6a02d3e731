// What the lab's worker would report, from the same code run in Node. Bundled before it runs, for its imports are TypeScript.
import { Lab } from '../../demo/lab/engine/lab.ts';

/** Opens a kernel and runs it with a part of a file replaced; gives what is reported of each command, and the edited text. */
export async function recordLab(sources, choice, { file, from, to }) {
  let reports = [];
  const lab = new Lab((report) => reports.push(report), sources);
  const answer = async (command) => {
    reports = [];
    await lab.take(command);
    const failed = reports.find(({ type }) => type === 'failed');
    if (failed) throw new Error(failed.text);
    return reports;
  };
  if (!sources[file].includes(from)) throw new Error(`${file} has no ${from}`);
  const text = sources[file].replace(from, to);
  const answers = {
    begin: await answer({ type: 'begin', peaks: null, again: false }),
    open: await answer({ type: 'open', choice }),
    run: await answer({ type: 'run', choice, edits: { [file]: text } }),
  };
  return { answers, text };
}
