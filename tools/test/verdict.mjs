// What became of a test file, from what it printed and how it ended.

// uvu's closing lines. There may be others before them, of test programs that a test ran.
const CLOSING = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: .*$/gm;
// uvu's marks, one a test, stand before what tests print; its count ends them.
const MARKS = /^(?:[•✘] ?)+/;
const COUNT = /^\s*\(\d+ \/ \d+\)$/;

/** Counts of a file. Whatever leaves a doubt is a failure: no closing lines, no tests, an exit code, a test not run. */
export function judge({ title, seconds, output, errors = '', problem }, strict) {
  const closing = [...output.matchAll(CLOSING)].at(-1);
  const [total, passed, skipped] = closing ? closing.slice(1).map(Number) : [0, 0, 0];
  const problems = [];
  // uvu's own exit code says no more than its counts.
  if (problem && !(problem === 'exit code 1' && passed < total)) problems.push(problem);
  if (!problem && passed < total)
    problems.push(`${total - passed} of ${total} tests did not run; look at the hooks (before, after)`);
  if (!closing && !problem) problems.push('ended without the closing lines of its tests');
  if (closing && total === 0 && skipped === 0) problems.push('has no tests');
  if (strict && skipped > 0) problems.push(`${skipped} skipped, and REQUIRE_GPU=1 allows none`);
  const failed = Math.max(total - passed + (strict ? skipped : 0), problems.length > 0 ? 1 : 0);
  return { title, seconds, passed, failed, skipped: strict ? 0 : skipped, problems, output, errors };
}

/** One line for a file, after it what its tests printed, or all of its output if it failed. */
export function summary({ title, seconds, passed, failed, skipped, problems, output, errors }, width) {
  const counts = [`${passed} passed`, failed > 0 && `${failed} FAILED`, skipped > 0 && `${skipped} skipped`].filter(
    Boolean,
  );
  const line = `${title.padEnd(width)}  ${counts.join(', ').padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`;
  if (failed === 0) return [line, ...notes(output)].join('\n');
  const reason = problems.length > 0 ? [`  ${title}: ${problems.join('; ')}`] : [];
  const printed = `${output}\n${errors}`.split('\n').filter((text) => text.trim() !== '');
  return [line, ...reason, ...printed.map((text) => `  | ${text}`)].join('\n');
}

export function totals(verdicts) {
  const sum = (count) => verdicts.reduce((total, verdict) => total + verdict[count], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

const notes = (output) =>
  output
    .replace(CLOSING, '')
    .split('\n')
    .map((line) => line.replace(MARKS, ''))
    .filter((line) => line.trim() !== '' && !COUNT.test(line));
