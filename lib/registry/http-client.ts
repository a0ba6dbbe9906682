/** One HTTP exchange. Header names are lower case. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A body that is no array is sent in chunks, unless `content-length` is among the headers. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** The answer; `body` must be read to its end or discarded. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes as they came over the wire: no content decoding. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the connection back without reading the rest. */
  discard(): void;
}

/**
 * The port to HTTP. It follows no redirect, retries nothing, decodes nothing, adds no credential: that is policy of
 * the registry client. Network failures reject with the system's error (`code` ECONNREFUSED, ENOTFOUND, …); an abort
 * rejects with the reason of the signal.
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Ends idle connections. */
  close(): void;
}
