"""An API server's double over TLS: objects by path, resourceVersion honoured, JSON Patch (test, add) and merge patch."""
import copy
import http.server
import json
import ssl
import threading


def merge(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge(target.get(key), value)
    return target


def json_patch(target, patch):
    """None when a test does not hold."""
    target = copy.deepcopy(target)
    for step in patch:
        *way, last = step['path'].split('/')[1:]
        at = target
        for part in way:
            at = at[int(part)] if isinstance(at, list) else at[part]
        if step['op'] == 'test':
            if at.get(last) != step['value']:
                return None
        elif step['op'] == 'add':
            at[last] = step['value']
        else:
            return None
    return target


class ApiServer:
    def __init__(self, certificate, key, token):
        self.objects, self.version, self.refuse, self.lock = {}, 0, False, threading.Lock()
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def handle_one(self):
                length = int(self.headers.get('Content-Length', 0))
                body = json.loads(self.rfile.read(length)) if length else None
                if double.refuse:
                    status, answer = 503, {}
                elif self.headers.get('Authorization') != 'Bearer ' + token:
                    status, answer = 401, {}
                else:
                    with double.lock:
                        status, answer = double.answer(self.command, self.path, self.headers.get('Content-Type'), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            do_GET = do_POST = do_PATCH = handle_one  # noqa: N815

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, obj):
        self.version += 1
        self.objects[path] = {**obj, 'metadata': {**obj.get('metadata', {}), 'resourceVersion': str(self.version)}}

    def get(self, path):
        return self.objects[path]

    def answer(self, method, path, kind, body):
        if method == 'POST':
            return 403, {}
        if path not in self.objects:
            return 404, {}
        found = self.objects[path]
        if method == 'GET':
            return 200, found
        changed = json_patch(found, body) if kind == 'application/json-patch+json' else merge(found, body)
        if changed is None:
            return 422, {}
        if changed['metadata'].get('resourceVersion') != found['metadata']['resourceVersion']:
            return 409, {}
        self.put(path, changed)
        return 200, self.objects[path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
