import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where engines that are given no `runRoot` have theirs. */
const place = '/run/tscontainer';

/** Remembers what is there; the returned function removes what engines of a test have added. */
export async function rememberRunRoots(): Promise<() => Promise<void>> {
  const wasThere = existsSync(place);
  const before = wasThere ? await readdir(place) : [];
  return async () => {
    if (!existsSync(place)) return;
    const added = (await readdir(place)).filter((name) => !before.includes(name));
    for (const name of added) await rm(join(place, name), { recursive: true });
    if (!wasThere) await rmdir(place);
  };
}
