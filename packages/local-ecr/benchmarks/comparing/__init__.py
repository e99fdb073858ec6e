"""What local_ecr, moto, MiniStack and CNCF distribution answer to the same requests, written down for the docs."""
