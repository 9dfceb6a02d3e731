import { writeSync } from 'node:fs';
import { EXIT } from './errors.ts';
import { main } from './program.ts';
import { reasonOf } from './run/files.ts';

// The `padagrad` program. A reader that closes the pipe (`padagrad ... | head`) ends it quietly, as it ends other programs.
for (const [name, stream] of [
  ['stdout', process.stdout],
  ['stderr', process.stderr],
] as const) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.SIGPIPE);
    try {
      writeSync(process.stderr.fd, `padagrad: ${name} cannot be written: ${reasonOf(error)}\n`);
    } catch {
      // stderr cannot be written either, so only the exit code is left.
    }
    process.exit(EXIT.failed);
  });
}

process.exitCode = await main(process.argv.slice(2), process);
