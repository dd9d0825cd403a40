/** A WebSocket with the server's end in the test's hands. */
export class FakeSocket {
  readyState = 1
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  onerror: (() => void) | null = null
  readonly sent: { type: string }[] = []

  constructor(readonly address: string) {}

  send(data: string): void { this.sent.push(JSON.parse(data) as { type: string }) }
  close(): void { this.readyState = 3 }
  say(frame: object): void { this.onmessage?.({ data: JSON.stringify(frame) }) }

  /** The server or the network ends it. */
  break(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code })
  }
}

/** Every socket that was opened, oldest first. */
export class FakeSockets {
  readonly all: FakeSocket[] = []
  readonly open = (address: string): WebSocket => {
    this.all.push(new FakeSocket(address))
    return this.last as unknown as WebSocket
  }

  get last(): FakeSocket { return this.all[this.all.length - 1]! }
}
