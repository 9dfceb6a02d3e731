const DATABASE = 'padagrad';
const STORE = 'chosen';

/** Keeps things by name, from visit to visit where the browser lets it, else for this one. */
export interface Shelf {
  get(name: string): Promise<unknown>;
  put(name: string, thing: unknown): Promise<void>;
}

const here = new Map<string, unknown>();

/** The browser's database; a worker has no simpler storage. */
export const shelf: Shelf = {
  async get(name) {
    return here.get(name) ?? (await ask('readonly', (store) => store.get(name)));
  },
  async put(name, thing) {
    here.set(name, thing);
    await ask('readwrite', (store) => store.put(thing, name));
  },
};

/** What the database answers; undefined where there is none, or it refuses. */
async function ask(mode: IDBTransactionMode, request: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  try {
    const opening = indexedDB.open(DATABASE);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database = (await answer(opening)) as IDBDatabase;
    try {
      return await answer(request(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  } catch {
    // In Node, in private windows, with a full disk: nothing is kept, and nothing is lost by it.
    return undefined;
  }
}

const answer = (request: IDBRequest): Promise<unknown> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
