// The files of a folder that the visitor chose or dropped, with their paths in it.
import type { OwnFile } from './protocol.ts';

/** A folder's name and its files. */
export interface Folder {
  folder: string;
  files: OwnFile[];
}

/** Returns the files of a folder that was chosen with `<input webkitdirectory>`. */
export function chosenFolder(list: FileList): Folder {
  const all = [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return withoutRoot(all);
}

/** Returns the files of a folder that was dropped, or of several files and folders. */
export async function droppedFolder(items: DataTransferItemList): Promise<Folder> {
  // All entries have to be asked for before the first wait.
  const entries = [...items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const all: OwnFile[] = [];
  for (const entry of entries) {
    if (entry instanceof File) all.push({ path: entry.name, file: entry });
    else if (entry) await collect(entry, all);
  }
  return withoutRoot(all);
}

async function collect(entry: FileSystemEntry, into: OwnFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    into.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // Browsers return a part of the entries at a time, and none at the end.
    const part = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (part.length === 0) return;
    for (const child of part) await collect(child, into);
  }
}

/** Takes the name of the folder off the paths, if all files are in one. */
export function withoutRoot(all: readonly OwnFile[]): Folder {
  const root = all[0]?.path.split('/')[0] ?? '';
  const isRoot = all.every(({ path }) => path.startsWith(`${root}/`));
  if (!isRoot) return { folder: all.length === 1 ? root : `${all.length} files`, files: [...all] };
  return { folder: root, files: all.map(({ path, file }) => ({ path: path.slice(root.length + 1), file })) };
}
