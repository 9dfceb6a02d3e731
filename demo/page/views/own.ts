import { element, find, setBusy, setText } from '../../shared/dom.ts';
import type { App } from '../app.ts';
import { chosenFolder, droppedFolder, type Folder } from '../folder.ts';
import type { OwnFolder } from '../ownState.ts';
import { OWN } from '../ownWords.ts';
import { type OwnSet, type Side, STRIP } from '../protocol.ts';
import type { View } from '../state.ts';
import { ERRORS } from '../words.ts';
import { picture } from './picture.ts';

/** The two folders of own images: where to choose or drop them, what was read, and what could not be. */
export function ownView(app: App): View {
  // A file that is dropped next to a folder's place would otherwise replace the page.
  for (const type of ['dragover', 'drop']) addEventListener(type, (event) => event.preventDefault());
  const folders = [folderView(app, 'source'), folderView(app, 'target')];
  return (state) => {
    if (state.settings.task === 'own') for (const draw of folders) draw(state);
  };
}

function folderView(app: App, side: Side): View {
  const host = find(`own-${side}`);
  const open = ({ folder, files }: Folder) => {
    if (files.length > 0) app.openFolder(side, folder, files);
  };
  const input = element('input', { type: 'file', multiple: true, webkitdirectory: true, hidden: true });
  input.addEventListener('change', () => {
    open(chosenFolder(input.files!));
    input.value = '';
  });
  const choose = element('button', { type: 'button', 'aria-label': OWN.chooseLabel(side) }, OWN.choose);
  choose.addEventListener('click', () => input.click());
  const others = side === 'source' ? modelButton(app) : [];
  const said = element('p', { class: 'said-of', role: 'status' });
  const classes = element('p', { class: 'note' });
  const images = element('div', { class: 'thumbs' });
  const problems = element('details', { class: 'problems', hidden: true });
  host.replaceChildren(
    element('h3', {}, OWN.title[side]),
    element('p', { class: 'hint' }, OWN.hint[side]),
    element('p', { class: 'buttons' }, choose, ...others),
    ...[input, said, classes, images, problems],
  );
  host.addEventListener('dragover', () => host.classList.add('over'));
  host.addEventListener('dragleave', () => host.classList.remove('over'));
  host.addEventListener('drop', async ({ dataTransfer }) => {
    host.classList.remove('over');
    try {
      if (app.canTrain && dataTransfer) open(await droppedFolder(dataTransfer.items));
    } catch (error) {
      app.warn(ERRORS.unreadable(OWN.title[side], (error as Error).message));
    }
  });
  let shown: OwnSet | undefined;
  return ({ own }) => {
    const chosen = own.folders[side];
    const model = side === 'source' ? own.model : undefined;
    for (const button of host.querySelectorAll('button')) button.disabled = !app.canTrain;
    host.classList.toggle('wrong', Boolean(chosen?.error));
    setBusy(images, Boolean(chosen && !chosen.set && !chosen.error));
    if (model) setText(said, OWN.opened(model.file, model.arch, model.shape));
    else setText(said, chosen ? textOf(chosen) : '');
    const listed = model?.classNames.map((name) => ({ name })) ?? chosen?.set?.classes ?? [];
    setText(classes, listed.length > 0 ? OWN.classes(listed) : '');
    const set = chosen?.set;
    if (set === shown) return;
    shown = set;
    images.replaceChildren(...(set ? thumbnails(set) : []));
    showProblems(problems, set);
  };
}

/** A button that opens a saved model instead of labelled images. */
function modelButton(app: App): HTMLElement[] {
  const file = element('input', { type: 'file', accept: '.safetensors', hidden: true, id: 'own-model' });
  file.addEventListener('change', () => {
    if (file.files?.[0]) app.openModel(file.files[0]);
    file.value = '';
  });
  const button = element('button', { type: 'button' }, OWN.model);
  button.addEventListener('click', () => file.click());
  return [button, file];
}

function textOf({ folder, done, total, set, error }: OwnFolder): string {
  if (error) return error;
  return set ? OWN.read(folder, set.count, set.shape) : OWN.reading(folder, done, total);
}

function thumbnails({ images, names, shape }: OwnSet): HTMLElement[] {
  const size = shape.reduce((a, b) => a * b);
  const n = Math.min(names.length, 2 * STRIP);
  // At even distances, so that a target in folders shows some of each.
  const places = Array.from({ length: n }, (_, i) => Math.floor(((i + 0.5) * names.length) / n));
  return places.map((i) => picture(images.subarray(size * i, size * (i + 1)), shape, { label: names[i]! }));
}

function showProblems(host: HTMLElement, set: OwnSet | undefined): void {
  const { problems = [], leftOut = 0 } = set ?? {};
  host.hidden = leftOut === 0;
  const rest = leftOut - problems.length;
  host.replaceChildren(
    element('summary', {}, OWN.leftOut(leftOut)),
    element(
      'ul',
      {},
      ...problems.map(({ file, why }) => element('li', {}, element('b', {}, file), `: ${why}`)),
      ...(rest > 0 ? [element('li', {}, OWN.more(rest))] : []),
    ),
  );
}
