import { connect, createServer, type Server, type Socket } from 'node:net'
import { settings } from './settings.ts'

/** A line to the gateway that can be cut: to the browser it is a gateway that stopped. */
export class Line {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  private constructor() {
    this.#server = createServer((socket) => this.#forward(socket))
  }

  static async start(): Promise<Line> {
    const line = new Line()
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve))
    return line
  }

  get origin(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the line has no port')
    return `http://127.0.0.1:${address.port}`
  }

  #forward(socket: Socket) {
    this.#keep(socket)
    if (this.#cut) return socket.destroy()
    const { hostname, port } = new URL(settings.gateway)
    const beyond = this.#keep(connect(Number(port || 80), hostname))
    socket.pipe(beyond).pipe(socket)
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }

  cut() {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend() {
    this.#cut = false
  }

  end() {
    this.cut()
    this.#server.close()
  }
}
