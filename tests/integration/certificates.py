"""Certificates for tests of TLS."""

import pathlib
import subprocess


class Certificates:
    """Made for this run by the openssl command: two authorities, a server's and a client's certificate of the first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for authority in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                         "2", "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")
        for name, alternative in (("server", "DNS:localhost,IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example.org"),
                                  ("client", "DNS:client")):
            self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                         f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
            (self.folder / "extensions").write_text(f"subjectAltName={alternative}\n")
            self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                         "-days", "1", "-extfile", "extensions", "-out", f"{name}.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def path(self, name):
        return str(self.folder / name)
