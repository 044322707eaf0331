"""What leaves in the field's own format: FHIR R4 over the same access. No tables of its own."""
