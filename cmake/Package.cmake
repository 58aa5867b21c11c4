# Install and export
