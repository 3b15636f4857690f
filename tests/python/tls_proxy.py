"""Speaks TLS in front of a server that does not.

usage: tls_proxy.py CERTIFICATE KEY PORT

Listens on a free port of 127.0.0.1, prints it, and passes on what it hears to PORT of 127.0.0.1, until killed.
"""

import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # One side has gone; closing both tells the other.
    finally:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client, context, port):
    try:
        client = context.wrap_socket(client, server_side=True)
        server = socket.create_connection(("127.0.0.1", port))
    except OSError:
        return  # A client that does not trust the certificate leaves during the handshake.
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def main(certificate, key, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, context, int(port)), daemon=True).start()


main(*sys.argv[1:])
