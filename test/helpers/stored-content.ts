import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What an engine's root holds of images and containers: blobs, partial and temporary files, layers, records. Locks and
 * the empty directories around them stay as they are made.
 */
export async function storedContent(root: string): Promise<string[]> {
  const places = [
    'content/blobs/sha256',
    'content/blobs/sha512',
    'content/ingest',
    'layers/layers',
    'layers/tmp',
    'images',
    'containers',
  ];
  const found = await Promise.all(
    places.map(async (place) => (await namesIn(join(root, place))).map((name) => `${place}/${name}`)),
  );
  return found.flat().sort();
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
