import { writeSync } from 'node:fs';
import { EXIT } from './errors.ts';
import { main } from './program.ts';
import { realContext } from './realContext.ts';
import { reasonOf } from './run/files.ts';

// A reader that goes away (`padagrad ... | head`) ends the command without a word, as it ends other programs.
for (const [name, stream] of [
  ['stdout', process.stdout],
  ['stderr', process.stderr],
] as const) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.SIGPIPE);
    try {
      writeSync(process.stderr.fd, `padagrad: ${name} cannot be written: ${reasonOf(error)}\n`);
    } catch {
      // stderr cannot be written either: the exit code has to do.
    }
    process.exit(EXIT.failed);
  });
}

process.exitCode = await main(process.argv.slice(2), realContext());
