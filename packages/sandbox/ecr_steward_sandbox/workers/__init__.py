"""What AWS Lambda does around a function: processes under the real runtime client, kept warm, killed at the timeout."""
