// Records what the lab's worker reports, in Node, so that `tools/pictures/page.mjs` can show it in a browser.
import type { Choice, Command, Report } from './protocol.ts';
import { Lab } from './worker/lab.ts';

/** One edit of a kernel: a part of a file and its replacement. */
export interface Edit {
  file: string;
  from: string;
  to: string;
}

/** Opens a kernel and runs it with one edit. Returns the reports that follow each command, and the edited text. */
export async function recordLab(
  sources: Readonly<Record<string, string>>,
  choice: Choice,
  { file, from, to }: Edit,
): Promise<{ answers: Record<string, Report[]>; text: string }> {
  let reports: Report[] = [];
  const lab = new Lab((report) => reports.push(report), sources);
  const answer = async (command: Command): Promise<Report[]> => {
    reports = [];
    await lab.take(command);
    for (const report of reports) if (report.type === 'failed') throw new Error(report.text);
    return reports;
  };
  const shipped = sources[file]!;
  if (!shipped.includes(from)) throw new Error(`${file} does not contain the text to edit: ${from}`);
  const text = shipped.replace(from, to);
  const answers = {
    begin: await answer({ type: 'begin', peaks: null, again: false }),
    open: await answer({ type: 'open', choice }),
    run: await answer({ type: 'run', choice, edits: { [file]: text } }),
  };
  return { answers, text };
}
